"""Downloads over HTTP: archives, single files, Metalinks and signed links."""
