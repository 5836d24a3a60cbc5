"""Solvers behind one interface: HiGHS directly, others through PuLP."""
