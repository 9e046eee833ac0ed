//! Chooses the linker script of the architecture that the kernel is built for, and the room for symbols.

use std::env;
use std::path::Path;

/// Room for the symbol table, in bytes (see `scripts/link-image`). A kernel that is not optimised has
/// several times as many functions.
const OPTIMISED_KSYMS_SIZE: usize = 256 << 10;
const KSYMS_SIZE: usize = 2 << 20;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("none") {
        return;
    }
    let architecture = env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets it");
    let boot = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../boot/src")
        .join(architecture);
    let script = boot.join("kernel.ld");
    println!("cargo:rerun-if-changed={}", script.display());
    println!("cargo:rustc-link-arg=-T{}", script.display());
    let ksyms_size = match env::var("OPT_LEVEL").as_deref() {
        Ok("0") => KSYMS_SIZE,
        _ => OPTIMISED_KSYMS_SIZE,
    };
    println!("cargo:rustc-link-arg=--defsym=KSYMS_SIZE={ksyms_size}");
}
