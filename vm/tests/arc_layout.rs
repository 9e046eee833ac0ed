//! Whether a permit asks the allocator for the same as `Arc::new`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use vm::try_alloc::ArcPermit;

thread_local! {
    static LAST: Cell<Option<Layout>> = const { Cell::new(None) };
}

/// The system's allocator; it remembers what each thread asked for last.
struct Recorder;

// SAFETY: All calls are passed on to the system's allocator.
unsafe impl GlobalAlloc for Recorder {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LAST.set(Some(layout));
        // SAFETY: The caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: The caller's promise is passed on.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static RECORDER: Recorder = Recorder;

fn assert_same_layout<T>(value: T) {
    let permit = ArcPermit::<T>::new().expect("memory is plenty");
    let permitted = LAST.take();
    assert!(permitted.is_some());
    let arc = permit.fill(value);
    assert_eq!(LAST.take(), permitted, "{}", std::any::type_name::<T>());
    drop(arc);
}

#[test]
fn a_permit_has_the_layout_of_an_arc() {
    #[repr(align(64))]
    struct Wide(#[allow(dead_code)] [u8; 65]);
    assert_same_layout(());
    assert_same_layout(1_u8);
    assert_same_layout([1_u16; 7]);
    assert_same_layout([0_u64; 14]);
    assert_same_layout(Wide([0; 65]));
}
