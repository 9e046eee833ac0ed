//! Faults and stores through mappings of VMOs that have pages in common.

use syscall::{Status, VmOptions};

use super::*;
use crate::addr::VirtAddr;
use crate::vmar::OpChildren;

/// All of a VMO, mapped for the time of a round.
struct Window<'a> {
    world: &'a World,
    base: VirtAddr,
}

impl<'a> Window<'a> {
    fn new(world: &'a World, vmo: &Memory) -> Self {
        let request = request(RW, vmo, SIZE as usize / PAGE_SIZE);
        let base = world.root.map(request).expect("room");
        Self { world, base }
    }

    fn at(&self, page: u64, byte: usize) -> VirtAddr {
        let offset = page as usize * PAGE_SIZE + byte;
        self.base.checked_add(offset).expect("a page of it")
    }

    fn store(&self, cpu: usize, page: u64, value: u8) -> syscall::Result<()> {
        let (world, at) = (self.world, self.at(page, 0));
        world.store_on(cpu, &world.space, at, value)
    }

    fn load(&self, cpu: usize, page: u64) -> [u8; 2] {
        let load = |byte| {
            let world = self.world;
            world.load_on(cpu, &world.space, self.at(page, byte))
        };
        [0, 1].map(|byte| load(byte).expect("memory"))
    }

    fn unmap(&self) {
        let root = &self.world.root;
        root.unmap(self.base, SIZE as usize, OpChildren::Allowed)
            .expect("mapped");
    }

    fn protect(&self, options: VmOptions) {
        let root = &self.world.root;
        root.protect(options, self.base, SIZE as usize, OpChildren::Allowed)
            .expect("mapped");
    }
}

/// Stores to a page on every processor; afterwards the parent shows the last one, the child none.
fn assert_separate(window: &Window<'_>, parent: &Memory, child: &Memory) {
    let before = bytes(child);
    for page in PAGES {
        for cpu in 0..CPUS {
            let value = 0x10 + cpu as u8;
            assert_eq!(window.store(cpu, page, value), Ok(()));
            for looking in 0..CPUS {
                assert_eq!(window.load(looking, page), [value, OLD]);
            }
        }
    }
    assert_eq!(bytes(parent), [[0x10 + CPUS as u8 - 1, OLD]; PAGES.len()]);
    assert_eq!(bytes(child), before, "a store went to a clone as well");
}

#[test]
fn a_clone_shows_one_moment_of_what_is_stored_through_a_mapping() {
    explore(|world| {
        let parent = filled(world);
        let window = Window::new(world, &parent);
        // The first page may be written without a fault, the last one not yet.
        assert_eq!(window.store(0, 0, OLD), Ok(()));
        let mut made = None;
        together(
            world,
            [
                &mut || {
                    for value in [2, 3] {
                        assert_eq!(window.store(0, 0, value), Ok(()));
                    }
                },
                &mut || made = Some(look(&parent)),
                &mut || assert_eq!(window.store(2, 70, 4), Ok(())),
            ],
        );
        let (child, seen) = made.expect("it was made");
        let [[first, _], one, [last, _]] = seen;
        assert!([OLD, 2, 3].contains(&first) && [OLD, 4].contains(&last));
        assert_eq!(seen, [[first, OLD], one, [last, OLD]]);
        assert_eq!(bytes(&child), seen, "a clone has changed");
        assert_eq!(bytes(&parent), [[3, OLD], [OLD; 2], [4, OLD]]);
        assert_separate(&window, &parent, &child);
        window.unmap();
    });
}

#[test]
fn what_is_stored_and_what_is_written_to_a_shared_page_both_stay() {
    explore(|world| {
        let parent = filled(world);
        let window = Window::new(world, &parent);
        let mut child = Some(snapshot(&parent));
        assert_eq!(window.load(2, 0), [OLD; 2]);
        together(
            world,
            [
                &mut || assert_eq!(window.store(0, 0, NEW), Ok(())),
                &mut || {
                    parent.write(1, &[NEW]).expect("memory");
                    assert_eq!(window.load(1, 0)[1], NEW, "the old page is still shown");
                },
                &mut || {
                    let seen = [0; 3].map(|page| window.load(2, page));
                    assert!(seen.is_sorted(), "{seen:?} goes back");
                    child = None;
                },
            ],
        );
        assert_eq!(bytes(&parent), [[NEW; 2], [OLD; 2], [OLD; 2]]);
        for cpu in 0..CPUS {
            assert_eq!(window.load(cpu, 0), [NEW; 2]);
        }
        window.unmap();
    });
}

/// A store may or may not have come before its mapping was closed to it with `closed`.
#[track_caller]
fn assert_stored(stored: syscall::Result<()>, closed: Status, parent: &Memory) {
    let first = match stored {
        Ok(()) => NEW,
        Err(status) => {
            assert_eq!(status, closed);
            OLD
        }
    };
    assert_eq!(bytes(parent)[0], [first, OLD]);
}

#[test]
fn a_mapping_that_goes_shows_a_clone_nothing_more() {
    explore(|world| {
        let parent = filled(world);
        let window = Window::new(world, &parent);
        assert_eq!(window.store(0, 0, OLD), Ok(()));
        let (mut made, mut stored) = (None, Ok(()));
        together(
            world,
            [
                &mut || stored = window.store(0, 0, NEW),
                &mut || made = Some(look(&parent)),
                &mut || window.unmap(),
            ],
        );
        let (child, seen) = made.expect("it was made");
        assert_eq!(bytes(&child), seen, "a clone has changed");
        assert_stored(stored, Status::NOT_FOUND, &parent);
    });
}

#[test]
fn a_mapping_that_becomes_read_only_shows_a_clone_nothing_more() {
    explore(|world| {
        let parent = filled(world);
        let window = Window::new(world, &parent);
        assert_eq!(window.store(0, 0, OLD), Ok(()));
        let (mut made, mut stored) = (None, Ok(()));
        together(
            world,
            [
                &mut || stored = window.store(0, 0, NEW),
                &mut || made = Some(look(&parent)),
                &mut || window.protect(R),
            ],
        );
        let (child, seen) = made.expect("it was made");
        assert_eq!(bytes(&child), seen, "a clone has changed");
        assert_stored(stored, Status::ACCESS_DENIED, &parent);
        window.unmap();
    });
}

#[test]
fn a_mapping_that_goes_reaches_no_page_that_its_vmo_gives_back() {
    explore(|world| {
        let vmo = filled(world);
        let window = Window::new(world, &vmo);
        assert_eq!(window.store(0, 0, OLD), Ok(()));
        let mut stored = Ok(());
        together(
            world,
            [
                &mut || stored = window.store(0, 0, NEW),
                &mut || {
                    vmo.set_size(0).expect("resizable");
                    vmo.set_size(P).expect("resizable");
                    let mut byte = [1];
                    vmo.read(0, &mut byte).expect("inside");
                    assert!([0, NEW].contains(&byte[0]), "{byte:?} was never written");
                },
                &mut || window.unmap(),
            ],
        );
        let known = [Ok(()), Err(Status::NOT_FOUND), Err(Status::OUT_OF_RANGE)];
        assert!(known.contains(&stored), "{stored:?}");
    });
}
