//! Pages that can be executed but not read: `spec/vmar.md` §5.1, check 6.

use syscall::{Status, VmOptions};

use crate::addr::PAGE_SIZE;
use crate::testing::*;
use crate::vmar::MapRequest;
use crate::vmar::OpChildren::Allowed;

const P: usize = PAGE_SIZE;

const X: VmOptions = VmOptions::PERM_EXECUTE;
/// Says that not reading is meant.
const ONLY: VmOptions = VmOptions::PERM_READ_IF_XOM_UNSUPPORTED;

#[test]
fn only_who_says_so_gets_pages_that_cannot_be_read() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(4), world.numbered_vmo(4));
    let map = |options| {
        let request = request_at(0, &vmo, 0, 4);
        vmar.map(MapRequest {
            options: options | SPECIFIC,
            ..request
        })
    };
    let w = VmOptions::PERM_WRITE;
    for options in [X, w, w | X, w | ONLY, w | X | ONLY] {
        world.refuses(Status::INVALID_ARGS, || map(options));
    }
    map(X | ONLY).expect("free");
    let first = page_of(&vmar, 0);
    assert_eq!(world.fetch(first), Ok(1));
    assert_eq!(world.load(first), Err(Status::ACCESS_DENIED));
    assert_eq!(world.store(first, 1), Err(Status::ACCESS_DENIED));
    for options in [X, w, w | X, w | ONLY, w | X | ONLY] {
        let protect = || vmar.protect(options, first, P, Allowed);
        world.refuses(Status::INVALID_ARGS, protect);
    }
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn protect_takes_reading_away_and_gives_it_back() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(4), world.numbered_vmo(4));
    let request = request_at(0, &vmo, 0, 4);
    vmar.map(MapRequest {
        options: RX | SPECIFIC,
        ..request
    })
    .expect("free");
    let second = page_of(&vmar, 1);
    for cpu in 0..CPUS {
        assert_eq!(world.load_on(cpu, &world.space, second), Ok(2));
    }
    vmar.protect(X | ONLY, second, P, Allowed).expect("mapped");
    for cpu in 0..CPUS {
        let read = world.load_on(cpu, &world.space, second);
        assert_eq!(read, Err(Status::ACCESS_DENIED));
    }
    assert_eq!(world.fetch(second), Ok(2));
    assert_eq!(world.load(page_of(&vmar, 2)), Ok(3));
    vmar.protect(RX, second, P, Allowed).expect("mapped");
    assert_eq!((world.load(second), world.fetch(second)), (Ok(2), Ok(2)));
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn what_cannot_be_read_does_not_keep_mappings_apart() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(4), world.numbered_vmo(4));
    for (page, options) in [(0, RX), (1, RX | ONLY), (2, X | ONLY)] {
        let request = request_at(page, &vmo, page, 1);
        vmar.map(MapRequest {
            options: options | SPECIFIC,
            ..request
        })
        .expect("free");
    }
    assert_eq!(vmo.info().num_mappings, 1);
    drop((vmar, vmo));
    finish(world);
}
