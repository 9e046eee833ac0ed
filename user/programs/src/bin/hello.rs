//! The smallest program: says hello and where it lives.

#![no_std]
#![no_main]

use zx::Status;

rt::main!(main);

fn main() -> Result<(), Status> {
    let root = rt::vmar_root_self().info()?;
    rt::println!("hello from {:#x}..{:#x}", root.base, root.base + root.len);
    Ok(())
}
