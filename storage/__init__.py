"""Where the bytes of an archive live, behind one small protocol."""
