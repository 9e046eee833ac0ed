//! The chapter on snapshots.

use alloc::format;
use alloc::string::String;

use rt::println;
use zx::{Status, Vmo, VmoChildOptions};

use crate::scene::{PAGE, READ_WRITE, Scene, load, must, named_vmo, store, unmap};

const PAGES: usize = 8;
const BYTES: u64 = (PAGES * PAGE) as u64;

/// Takes snapshots, writes on both sides, and closes the parent first.
pub fn show(scene: &Scene) -> Result<(), Status> {
    let parent = named_vmo("parent", PAGES * PAGE)?;
    let at = scene.root.map(0, &parent, 0, PAGES * PAGE, READ_WRITE)?;
    for page in 0..PAGES {
        store(at + page * PAGE, b'a');
    }
    let before = pages_of_all(scene)?;
    let first = snapshot(&parent)?;
    println!("   parent         {}", picture(&parent)?);
    println!(
        "   its snapshot   {}   pages it took: {}",
        picture(&first)?,
        pages_of_all(scene)? - before
    );
    must(pages_of_all(scene)? == before)?;

    // The page table allowed these writes before; the snapshot must not see them.
    store(at, b'b');
    store(at + PAGE, b'b');
    let second = snapshot(&parent)?;
    first.write(b"c", 4 * PAGE as u64)?;
    second.write(b"d", 7 * PAGE as u64)?;
    println!();
    println!("   After two writes to the parent, a second snapshot, and a write to each snapshot:");
    for (name, vmo) in [("parent", &parent), ("first", &first), ("second", &second)] {
        let info = vmo.info()?;
        println!(
            "   {name:<8}       {}   only its own: {} pages; its part of all: {} bytes",
            picture(vmo)?,
            info.committed_private_bytes / PAGE as u64,
            info.committed_scaled_bytes
        );
    }
    must(picture(&parent)? == "b b a a a a a a" && load(at) == b'b')?;
    must(picture(&first)? == "a a a a c a a a" && picture(&second)? == "b b a a a a a d")?;
    must(pages_of_all(scene)? == before + 4)?;

    unmap(&scene.root, at, PAGES)?;
    drop(parent);
    println!();
    println!("   The parent is closed, and its snapshots keep what they saw:");
    println!("   first          {}", picture(&first)?);
    println!("   second         {}", picture(&second)?);
    must(picture(&first)? == "a a a a c a a a" && picture(&second)? == "b b a a a a a d")?;
    generations(scene, second)
}

/// Takes a snapshot of a snapshot, a thousand times.
fn generations(scene: &Scene, oldest: Vmo) -> Result<(), Status> {
    const GENERATIONS: usize = 1_000;
    let before = pages_of_all(scene)?;
    let mut youngest = oldest;
    for _ in 0..GENERATIONS {
        youngest = snapshot(&youngest)?;
    }
    println!();
    println!(
        "   {GENERATIONS} generations later, each made from the one before, which was closed:"
    );
    println!("   the youngest   {}", picture(&youngest)?);
    must(picture(&youngest)? == "b b a a a a a d" && pages_of_all(scene)? == before)
}

fn snapshot(vmo: &Vmo) -> Result<Vmo, Status> {
    vmo.create_child(VmoChildOptions::SNAPSHOT, 0, BYTES)
}

/// The first byte of each page, as text.
fn picture(vmo: &Vmo) -> Result<String, Status> {
    let mut text = String::new();
    for page in 0..PAGES {
        let mut byte = [0];
        vmo.read(&mut byte, (page * PAGE) as u64)?;
        let gap = if page == 0 { "" } else { " " };
        text.push_str(&format!("{gap}{}", char::from(byte[0])));
    }
    Ok(text)
}

/// How many pages all VMOs have together.
fn pages_of_all(scene: &Scene) -> Result<u64, Status> {
    Ok(scene.system.mem_stats()?.vmo_bytes / PAGE as u64)
}
