//! What `vmos` says about VMOs of a process and of the kernel.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::str;

use arch::paging::Tables;
use ktest::ktest;
use serde_json::Value;
use syscall::{Koid, Name, Rights, Status, VmOptions, VmoOptions};
use vm::mmu::Access;
use vm::vmar::MapRequest;

use super::*;
use crate::handle::Handle;
use crate::object::{Job, Process, VmoObject};

/// A process without threads, which ends with the test.
struct Scene {
    process: Arc<Process>,
}

impl Scene {
    fn new() -> Self {
        let process = Process::new(Job::root(), Name::new_lossy("vmos")).expect("memory");
        Self { process }
    }

    /// A VMO with this name and so many pages, one of which is there.
    fn vmo(&self, name: &str, pages: u64) -> Arc<VmoObject> {
        let size = pages * PAGE_SIZE as u64;
        let object = VmoObject::create(size, VmoOptions::RESIZABLE).expect("memory");
        object.set_name(Name::new_lossy(name));
        assert_eq!(object.vmo().write(0, b"x"), Ok(()));
        object
    }

    fn add_handle(&self, object: &Arc<VmoObject>) {
        let handle = Handle::new(Arc::clone(object), Rights::NONE);
        assert!(self.process.add_handle(handle).is_ok());
    }

    fn map(&self, object: &VmoObject) {
        let request = MapRequest::<Tables> {
            options: VmOptions::PERM_READ,
            offset: 0,
            vmo: Arc::clone(object.vmo()),
            vmo_offset: 0,
            length: PAGE_SIZE,
            permitted: Access::READ,
        };
        let root = self.process.space().root().expect("alive");
        assert!(root.map(request).is_ok());
    }

    fn subject(&self) -> Subject {
        Subject::from(&*self.process)
    }

    /// The document about this process.
    fn document(&self) -> Value {
        let subject = self.subject();
        let holders = Holder::list(Some(&subject)).expect("memory");
        let search = Search::new(holders).expect("memory");
        let mut text = String::new();
        let mut sink = |line: &[u8]| text.push_str(str::from_utf8(line).expect("text"));
        assert_eq!(print_json(Some(&subject), search, &mut sink), Ok(()));
        serde_json::from_str(&text).expect("JSON")
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.process.abandon();
    }
}

/// The value in the column `name` of a row.
fn column<'a>(document: &'a Value, row: usize, name: &str) -> &'a Value {
    let columns = document["columns"].as_array().expect("columns");
    let index = columns.iter().position(|column| column == name);
    &document["rows"][row][index.expect("a column")]
}

#[ktest]
fn each_vmo_of_a_process_has_a_row_in_order_of_koids_with_handles_and_mappings_counted() {
    let scene = Scene::new();
    // More than a pass keeps, and found in another order than that of their koids.
    let objects: Vec<_> = (0..8).map(|number| scene.vmo("page", number + 1)).collect();
    for object in objects.iter().rev() {
        scene.add_handle(object);
    }
    for (number, object) in objects.iter().enumerate() {
        (0..number % 3).for_each(|_| scene.add_handle(object));
        (0..number % 4).for_each(|_| scene.map(object));
    }
    let only_mapped = scene.vmo("only \"mapped\"", 1);
    scene.map(&only_mapped);
    let json = scene.document();
    assert_eq!(json["format"], "jacinth-vmos");
    assert_eq!(json["process"]["name"], "vmos");
    assert_eq!(json["count"], 9);
    assert_eq!(json["complete"], true);
    for (row, object) in objects.iter().enumerate() {
        let value = |name| column(&json, row, name);
        assert_eq!(value("koid"), object.header().koid().raw_koid());
        assert_eq!(value("handles"), 1 + row % 3);
        assert_eq!(value("mappings"), row % 4);
        assert_eq!(value("spaces"), usize::from(row % 4 > 0));
        let size = (row + 1) * PAGE_SIZE;
        assert_eq!(*value("size"), alloc::format!("{size:#x}"));
        assert_eq!(value("committed"), PAGE_SIZE);
        assert_eq!(value("kind"), "anonymous");
        assert_eq!(value("properties").to_string(), "[\"resizable\"]");
    }
    assert_eq!(column(&json, 8, "name"), "only \"mapped\"");
    assert_eq!(column(&json, 8, "handles"), 0);
    assert_eq!(column(&json, 8, "mappings"), 1);
}

#[ktest]
fn a_line_says_what_a_row_says() {
    let scene = Scene::new();
    let object = scene.vmo("heap", 3);
    scene.map(&object);
    let mut search =
        Search::new(Holder::list(Some(&scene.subject())).expect("memory")).expect("memory");
    let pass = search.next_pass().expect("not killed");
    let line = Line::from(&pass[0]).to_string();
    let words: Vec<_> = line.split_whitespace().collect();
    let koid = object.header().koid().raw_koid().to_string();
    assert_eq!(
        words,
        [
            &*koid,
            "-",
            "0",
            "12k",
            "4k",
            "4k",
            "4k",
            "0",
            "1",
            "1",
            "'heap'",
            "anonymous,",
            "resizable"
        ]
    );
}

#[ktest]
fn a_vmo_is_found_by_its_koid_as_long_as_somebody_has_it() {
    let scene = Scene::new();
    let object = scene.vmo("wanted", 1);
    let koid = object.header().koid();
    let holders = Holder::list(None).expect("memory");
    assert_eq!(find(&holders, koid).err(), Some(Status::NOT_FOUND));
    scene.map(&object);
    let found = find(&holders, koid).expect("mapped");
    assert!(Arc::ptr_eq(&found, object.vmo()));
    assert_eq!(find(&holders, Koid::INVALID).err(), Some(Status::NOT_FOUND));
}

#[ktest]
fn the_kernel_has_vmos_too_but_no_handles() {
    let holders = Holder::list(Some(&Subject::kernel())).expect("memory");
    let mut rows = 0;
    let shown = for_each(Search::new(holders).expect("memory"), |line| {
        rows += 1;
        assert_eq!(line.handles, 0);
        assert!(line.mappings > 0);
        Ok(())
    });
    assert_eq!(shown, Ok(()));
    assert!(rows > 0);
}
