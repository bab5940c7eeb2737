"""What the program keeps: typed records on TinyDB, in files that several processes share and no crash can tear."""
