//! Links every program with the layout that the loader expects.

use std::env;
use std::path::Path;

fn main() {
    let directory = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it for every build script");
    let script = Path::new(&directory).join("../rt/program.ld");
    println!("cargo:rerun-if-changed={}", script.display());
    // A host has its own layout.
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "none") {
        println!("cargo:rustc-link-arg-bins=-T{}", script.display());
    }
}
