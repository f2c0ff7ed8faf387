//! A pretend CloudLink and a pretend Microsoft 365, for the demo and the tests.
