//! The command `pipebill`.

fn main() {}
