"""What tests of several parts need: real servers, shared by a whole run where that is safe."""
