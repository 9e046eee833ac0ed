//! Programs that run on Jacinth.

#![no_std]
