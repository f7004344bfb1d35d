"""What measures and compares: studies of several runs, and diagnoses of one."""
