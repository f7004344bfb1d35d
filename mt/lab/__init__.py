"""What measures and compares: studies of several runs, speed, and the peer of the claims of speed."""
