//! Adapters: where usage comes from, translated into the words of the domain.

pub mod exports;
