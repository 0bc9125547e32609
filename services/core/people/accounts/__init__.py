"""Accounts: guardians log in with a phone number, staff with an e-mail address."""
