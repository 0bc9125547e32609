"""The MQTT face: what watches say comes in here, what they are told goes out here."""
