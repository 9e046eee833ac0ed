//! A process whose only thread runs kernel code, so that tests can make system calls.

use alloc::sync::Arc;

use arch::user_memory;
use spin::Mutex;
use syscall::kernel::{SystemCalls, UserIn, UserOut};
use syscall::{HandleValue, Name, Rights, VmOptions, VmoOptions};
use vm::addr::PAGE_SIZE;
use vm::cpu::CpuId;
use vm::vmar::MapRequest;
use zerocopy::{FromBytes, IntoBytes};

use crate::handle::Handle;
use crate::object::{Job, Phase, Process, Start, Thread, VmoObject};
use crate::sched;
use crate::syscalls::user_memory::range;
use crate::syscalls::{Calls, caller};

/// What the thread of the process runs.
static BODY: Mutex<Option<fn(&Sandbox)>> = Mutex::new(None);

/// The calling process, with a page of memory for arguments and results.
pub struct Sandbox {
    /// A handle to the root region.
    pub root: HandleValue,
    /// The first address of the page.
    pub page: usize,
}

/// Runs `body` on a thread of a new process and waits until both have ended.
pub fn in_process(body: fn(&Sandbox)) {
    *BODY.lock() = Some(body);
    let process =
        Process::new(Job::root(), Name::new_lossy("sandbox")).expect("memory for a process");
    let start = Start::Kernel {
        entry: run,
        argument: 0,
    };
    let home = CpuId::BOOT;
    let thread = Thread::new(
        Name::new_lossy("sandbox"),
        Some(Arc::clone(&process)),
        home,
        start,
    );
    let thread = thread.expect("memory for a thread");
    process
        .add_thread(Arc::clone(&thread))
        .expect("a new process takes a thread");
    sched::start_thread(&thread);
    sched::join(thread);
    assert_eq!(process.phase(), Phase::Ended(0));
}

fn run(_: usize) {
    let body = BODY.lock().take().expect("in_process has left a body");
    body(&Sandbox::new());
}

impl Sandbox {
    fn new() -> Self {
        let process = caller();
        let handle = Handle::new(Arc::clone(process.root()), Rights::VMAR_ROOT_DEFAULT);
        let root = process.add_handle(handle).expect("room for a handle");
        let vmo = VmoObject::create(PAGE_SIZE as u64, VmoOptions::empty()).expect("memory");
        let permitted = vm::mmu::Access::READ | vm::mmu::Access::WRITE;
        let page = process.root().vmar().map(MapRequest {
            options: VmOptions::PERM_READ | VmOptions::PERM_WRITE,
            offset: 0,
            vmo: Arc::clone(vmo.vmo()),
            vmo_offset: 0,
            length: PAGE_SIZE,
            permitted,
        });
        let page = page.expect("room for a page").raw();
        let sandbox = Self { root, page };
        sandbox.set(0, 0u64);
        sandbox
    }

    /// The address of the 8-byte place `index` of the page.
    pub const fn place(&self, index: usize) -> usize {
        self.page + index * size_of::<u64>()
    }

    /// The place `index`, as something to write to.
    pub const fn out<T>(&self, index: usize) -> UserOut<T> {
        UserOut::new(self.place(index))
    }

    /// The place `index`, as something to read from.
    pub const fn input<T>(&self, index: usize) -> UserIn<T> {
        UserIn::new(self.place(index))
    }

    /// What is in the place `index`.
    pub fn get<T: FromBytes + IntoBytes>(&self, index: usize) -> T {
        let mut value = T::new_zeroed();
        let bytes = value.as_mut_bytes();
        let place = range(self.place(index), bytes.len()).expect("a user address");
        user_memory::read(place, bytes).expect("the page is mapped");
        value
    }

    /// Puts a value into the place `index`.
    pub fn set<T: IntoBytes + zerocopy::Immutable>(&self, index: usize, value: T) {
        let bytes = value.as_bytes();
        let place = range(self.place(index), bytes.len()).expect("a user address");
        user_memory::write(place, bytes).expect("the page is mapped");
    }

    /// A new VMO of `size` bytes.
    pub fn vmo(&self, size: u64, options: VmoOptions) -> HandleValue {
        Calls
            .vmo_create(size, options, self.out(0))
            .expect("memory for a VMO");
        self.get(0)
    }

    /// How many handles the process has.
    pub fn handle_count(&self) -> usize {
        caller().handle_count()
    }

    /// How many regions and mappings the address space has.
    pub fn region_count(&self) -> usize {
        let mut count = 0;
        let counted = crate::records::for_each(caller().root().vmar(), |_| {
            count += 1;
            Ok(())
        });
        assert_eq!(counted, Ok(()));
        count
    }
}
