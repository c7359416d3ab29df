"""Every store of an entry: what is kept beside the recorder, and removed with the entry."""
