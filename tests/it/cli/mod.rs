//! The commands, as processes of their own: what they say, what they do, how they end.

mod command;
mod keys;
mod serving;
mod speaking;
