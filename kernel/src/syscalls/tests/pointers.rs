//! Bad pointers: a status, and nothing left behind.

use arch::paging;
use ktest::ktest;
use syscall::kernel::{SystemCalls, UserIn, UserOut};
use syscall::{Property, Rights, Status, Topic, VmOptions, VmoOptions};
use vm::addr::PAGE_SIZE;

use super::in_process;
use crate::syscalls::Calls;

/// Addresses that no program may write to.
fn bad_addresses() -> [usize; 7] {
    [
        0,
        1,
        PAGE_SIZE,
        paging::USER.end().raw(),
        paging::USER.end().raw() - 1,
        paging::PHYSMAP_BASE.raw(),
        usize::MAX,
    ]
}

#[ktest]
fn a_handle_that_cannot_be_told_is_taken_back() {
    in_process(|sandbox| {
        let vmo = sandbox.vmo(1, VmoOptions::empty());
        let (handles, regions) = (sandbox.handle_count(), sandbox.region_count());
        for address in bad_addresses() {
            let out = UserOut::new(address);
            let same = Rights::SAME_RIGHTS;
            assert_eq!(
                Calls.vmo_create(1, VmoOptions::empty(), out),
                Err(Status::INVALID_ARGS)
            );
            assert_eq!(
                Calls.handle_duplicate(vmo, same, out),
                Err(Status::INVALID_ARGS)
            );
            let none = VmOptions::empty();
            let place = sandbox.out(1);
            let allocated = Calls.vmar_allocate(sandbox.root, none, 0, PAGE_SIZE, out, place);
            assert_eq!(allocated, Err(Status::INVALID_ARGS));
            let bad = UserOut::new(address);
            let place = sandbox.out(1);
            let allocated = Calls.vmar_allocate(sandbox.root, none, 0, PAGE_SIZE, place, bad);
            assert_eq!(allocated, Err(Status::INVALID_ARGS));
            let mapped = Calls.vmar_map(sandbox.root, none, 0, vmo, 0, PAGE_SIZE, bad);
            assert_eq!(mapped, Err(Status::INVALID_ARGS));
            assert_eq!(sandbox.handle_count(), handles);
            assert_eq!(sandbox.region_count(), regions);
        }
    });
}

#[ktest]
fn handle_replace_consumes_the_handle_even_if_it_cannot_tell_the_new_one() {
    in_process(|sandbox| {
        let vmo = sandbox.vmo(1, VmoOptions::empty());
        let replaced = Calls.handle_replace(vmo, Rights::SAME_RIGHTS, UserOut::new(0));
        assert_eq!(replaced, Err(Status::INVALID_ARGS));
        assert_eq!(Calls.handle_check_valid(vmo), Err(Status::BAD_HANDLE));
    });
}

#[ktest]
fn results_for_bad_addresses_are_refused() {
    in_process(|sandbox| {
        let vmo = sandbox.vmo(1, VmoOptions::empty());
        for address in bad_addresses() {
            let bytes = UserOut::new(address);
            let refused = Err(Status::INVALID_ARGS);
            assert_eq!(Calls.vmo_get_size(vmo, UserOut::new(address)), refused);
            assert_eq!(
                Calls.object_get_property(vmo, Property::NAME, bytes, 32),
                refused
            );
            let from = UserIn::new(address);
            assert_eq!(
                Calls.object_set_property(vmo, Property::NAME, from, 32),
                refused
            );
            assert_eq!(Calls.debug_write(from, 1), refused);
            let null = UserOut::new(0);
            let info = Calls.object_get_info(vmo, Topic::HANDLE_BASIC, bytes, 32, null, null);
            assert_eq!(info, refused);
            if address != 0 {
                let bad = UserOut::new(address);
                let out = sandbox.out(0);
                let info = Calls.object_get_info(vmo, Topic::HANDLE_BASIC, out, 32, bad, null);
                assert_eq!(info, refused);
            }
        }
    });
}

#[ktest]
fn vmo_copies_with_bad_buffers_find_nothing() {
    in_process(|sandbox| {
        let vmo = sandbox.vmo(2 * PAGE_SIZE as u64, VmoOptions::empty());
        for address in bad_addresses() {
            let read = Calls.vmo_read(vmo, UserOut::new(address), 0, 8);
            assert_eq!(read, Err(Status::NOT_FOUND));
            let written = Calls.vmo_write(vmo, UserIn::new(address), 0, 8);
            assert_eq!(written, Err(Status::NOT_FOUND));
        }
        let whole = 2 * PAGE_SIZE;
        let read = Calls.vmo_read(vmo, sandbox.out(0), 0, whole);
        assert_eq!(read, Err(Status::NOT_FOUND), "the buffer ends after a page");
    });
}

#[ktest]
fn copies_obey_the_permissions_of_the_mapping() {
    in_process(|sandbox| {
        let vmo = sandbox.vmo(1, VmoOptions::empty());
        sandbox.set(1, 0x1234u64);
        let protect = |options| Calls.vmar_protect(sandbox.root, options, sandbox.page, PAGE_SIZE);
        assert_eq!(protect(VmOptions::PERM_READ), Ok(()));
        assert_eq!(
            Calls.vmo_get_size(vmo, sandbox.out(2)),
            Err(Status::INVALID_ARGS)
        );
        assert_eq!(Calls.vmo_write(vmo, sandbox.input(1), 0, 8), Ok(()));
        assert_eq!(protect(VmOptions::empty()), Ok(()));
        assert_eq!(
            Calls.vmo_write(vmo, sandbox.input(1), 0, 8),
            Err(Status::NOT_FOUND)
        );
        assert_eq!(
            protect(VmOptions::PERM_READ | VmOptions::PERM_WRITE),
            Ok(())
        );
        assert_eq!(Calls.vmo_read(vmo, sandbox.out(2), 0, 8), Ok(()));
        assert_eq!(sandbox.get::<u64>(2), 0x1234);
    });
}

#[ktest]
fn a_vmo_can_be_copied_into_a_mapping_of_itself() {
    in_process(|sandbox| {
        let vmo = sandbox.vmo(2 * PAGE_SIZE as u64, VmoOptions::empty());
        let flags = VmOptions::PERM_READ | VmOptions::PERM_WRITE;
        let mapped = Calls.vmar_map(
            sandbox.root,
            flags,
            0,
            vmo,
            0,
            2 * PAGE_SIZE,
            sandbox.out(0),
        );
        assert_eq!(mapped, Ok(()));
        let base: usize = sandbox.get(0);
        sandbox.set(1, 77u64);
        assert_eq!(Calls.vmo_write(vmo, sandbox.input(1), 0, 8), Ok(()));
        // The second page of the mapping is absent: the copy has to fault it in, from the same VMO.
        let second = base + PAGE_SIZE;
        assert_eq!(Calls.vmo_read(vmo, UserOut::new(second), 0, 8), Ok(()));
        assert_eq!(
            Calls.vmo_write(vmo, UserIn::new(second), PAGE_SIZE as u64 - 4, 8),
            Ok(())
        );
        assert_eq!(
            Calls.vmo_read(vmo, sandbox.out(2), PAGE_SIZE as u64 - 4, 8),
            Ok(())
        );
        assert_eq!(sandbox.get::<u64>(2), 77);
    });
}

#[ktest]
fn random_bytes_go_where_they_shall() {
    in_process(|sandbox| {
        Calls.cprng_draw(sandbox.out(0), 64);
        assert_ne!(sandbox.get::<[u64; 8]>(0), [0; 8]);
        assert!(!crate::sched::current().is_killed());
    });
}
