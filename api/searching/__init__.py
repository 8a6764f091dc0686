"""The catalogue as a STAC API: what is asked, what is found, and the documents that say so."""
