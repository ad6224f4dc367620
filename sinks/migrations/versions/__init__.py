"""One module per revision; never edited once it is released."""
