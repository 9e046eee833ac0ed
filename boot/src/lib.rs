//! From the first instruction to one BootInfo.

#![no_std]
