"""RabbitMQ 4 on this machine: brought from Debian 13 into the checkout, and nodes of a cluster on loopback."""
