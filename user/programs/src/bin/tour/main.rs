//! The tour: shows what the kernel can do with an address space, one chapter a thing.
//!
//! Each chapter is a function that does the thing through the `zx` API, prints what it saw, and checks
//! it: a chapter that sees anything else than it tells ends the tour with exit code 1.

#![no_std]
#![no_main]

extern crate alloc;

mod chapters;
mod scene;

use rt::println;
use scene::Scene;
use zx::Status;

rt::main!(main);

fn main() -> Result<(), Status> {
    let scene = Scene::open();
    println!("{scene}");
    scene.warm_up()?;
    let before = scene.frames()?;
    for (index, chapter) in chapters::ALL.iter().enumerate() {
        println!();
        println!("{}. {}", index + 1, chapter.title);
        println!("   {}", chapter.line);
        (chapter.show)(&scene).inspect_err(|status| {
            println!("   This is not what should have happened: {status:?}.");
        })?;
    }
    let after = scene.frames()?;
    println!();
    println!("{}. Nothing leaked", chapters::ALL.len() + 1);
    println!("   What the kernel holds after all this, against what it held before:");
    scene::compare(before, after)?;
    println!();
    println!("The tour is over.");
    Ok(())
}
