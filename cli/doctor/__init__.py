"""What `consignor doctor` looks at: this machine, what the servers depend on, and what they are set to."""
