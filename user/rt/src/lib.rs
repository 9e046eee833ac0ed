//! Entry, heap, panic and printing for Jacinth's programs.

#![no_std]
