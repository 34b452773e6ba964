"""What runs networks: the contract, the choice, and one folder for each library."""
