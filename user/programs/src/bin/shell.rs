//! The interactive shell: reads lines and gives them to the kernel's monitor.

#![no_std]
#![no_main]

use rt::LineReader;
use zx::{Resource, Status};

const PROMPT: &str = "jacinth> ";

rt::main!(main);

fn main() -> Result<(), Status> {
    let resource = rt::system_resource();
    let mut reader = LineReader::new(&resource);
    rt::println!("Type `help` for the list of commands.");
    while let Some(line) = reader.read_line(PROMPT)? {
        match line.trim() {
            "" => {}
            "exit" => return Ok(()),
            "help" => help(&resource),
            command => send(&resource, command),
        }
    }
    Ok(())
}

/// Lists the shell's own commands, then those of the monitor.
fn help(resource: &Resource) {
    rt::println!("Commands of the shell:");
    rt::println!("  help              this list");
    rt::println!("  exit              leave the shell");
    send(resource, "help");
}

/// Lets the monitor carry out a command; it prints its answer itself.
fn send(resource: &Resource, command: &str) {
    if let Err(status) = resource.debug_send_command(command) {
        rt::eprintln!("{command}: {status}; `help` lists the commands");
    }
}
