"""Pictures for people to look at: their files, what is drawn into them, and sheets of several."""
