"""Who logs in: guardians with a phone, staff with an e-mail."""
