"""The MQTT transport between the broker and the handlers of watch_link, in both directions."""
