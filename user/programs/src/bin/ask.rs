//! Passes its words to the kernel's monitor as one command, as in `run ask walk 0x400000`.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;

use zx::Status;

rt::main!(main);

fn main() -> Result<(), Status> {
    let words: Vec<&str> = rt::args().collect();
    let command: String = words.join(" ");
    rt::system_resource().debug_send_command(&command)
}
