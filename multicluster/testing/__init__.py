"""What the users' own tests need: fakes that keep the contracts, and a pytest plugin."""
