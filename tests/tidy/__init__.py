"""Rules of house style that no other tool checks."""
