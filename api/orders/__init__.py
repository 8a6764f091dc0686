"""Orders over HTTP: placing, listing, commands, bulks, exports, notes, views, results and payments."""
