//! The attribute that registers an in-kernel test.
