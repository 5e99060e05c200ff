"""What connector authors test with: the contract as a suite, generators, a client in memory."""
