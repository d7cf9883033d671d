"""What the tests of several rooms share: a clock to move, brokers and databases to start, a compound to watch."""
