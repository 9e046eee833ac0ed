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

/// Lists the shell's own command, then those of the monitor.
fn help(resource: &Resource) {
    rt::println!("  {:<34}leave the shell", "exit");
    send(resource, "help");
}

/// Lets the monitor carry out a command.
fn send(resource: &Resource, command: &str) {
    // The monitor prints its answer itself, also when it refuses; the shell goes on either way.
    let _ = resource.debug_send_command(command);
}
