"""Privacy notice of a site: who is responsible for the data, shown to guardians before their first consent."""
