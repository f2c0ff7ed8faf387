//! Which command was asked for; nothing else.

fn main() {}
