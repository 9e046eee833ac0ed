//! Valid objects for hostile calls to hit: handles, buffers, and a region in which anything may happen.

use alloc::vec::Vec;

use zx::{
    AsHandleRef, Bti, HandleBased, Iommu, IommuDescDummy, Name, Resource, ResourceKind, Rights,
    Status, Vmar, VmarFlags, Vmo, VmoOptions, sys,
};

/// Bytes in a page.
pub const PAGE: usize = 4096;

/// Bytes that can be read and written at [`Buffers::scratch`].
pub const SCRATCH_BYTES: usize = 4 * PAGE;

/// Bytes of the region that hostile calls may change.
pub const SANDBOX_BYTES: usize = 1 << 30;

/// Physical addresses that hostile calls may be shown. They map them but never touch them.
pub const DEVICE_ADDRESS: usize = 0xfe00_0000;

/// Bytes there.
const DEVICE_BYTES: usize = 8 * PAGE;

/// Handles that are kept; more are closed again, so that the kernel's tables stay small.
const MOST_HANDLES: usize = 64;

/// All that a region can allow.
const ANY_MAPPING: VmarFlags = VmarFlags::CAN_MAP_SPECIFIC
    .union(VmarFlags::CAN_MAP_READ)
    .union(VmarFlags::CAN_MAP_WRITE)
    .union(VmarFlags::CAN_MAP_EXECUTE);

/// Memory of known permissions, in a region that no hostile call can name.
#[derive(Clone, Copy)]
pub struct Buffers {
    /// [`SCRATCH_BYTES`] that can be read and written; nothing is mapped around them.
    pub scratch: usize,
    /// A page that can only be read.
    pub read_only: usize,
    /// A page that cannot be accessed.
    pub no_access: usize,
    /// A page beyond the end of its VMO.
    pub beyond_end: usize,
    /// A page where nothing is mapped.
    pub hole: usize,
}

/// What hostile calls are made of.
pub struct World {
    /// Where bytes go and come from.
    pub buffers: Buffers,
    /// The first address of the sandbox.
    pub sandbox: usize,
    /// The first address that is no user address.
    pub user_end: usize,
    /// Handles that may be valid, dead or closed: whatever earlier calls left.
    pub handles: Vec<sys::zx_handle_t>,
    /// Those of them that were made for regions.
    pub regions: Vec<sys::zx_handle_t>,
    /// Those of them that were made for VMOs.
    pub vmos: Vec<sys::zx_handle_t>,
    /// Those of them that were made for processes and jobs.
    pub tasks: Vec<sys::zx_handle_t>,
    /// Those of them that were made for resources, IOMMUs and devices.
    pub devices: Vec<sys::zx_handle_t>,
    keeper: Vmar,
    /// The addresses of [`DEVICE_ADDRESS`], and no others.
    addresses: Resource,
}

impl World {
    /// A world with fresh buffers and handles.
    ///
    /// The kernel's table of this program's handles gets the size that it keeps.
    ///
    /// # Errors
    /// `NO_MEMORY`, if there is not even that much.
    pub fn new() -> Result<Self, Status> {
        let root = rt::vmar_root_self().info()?;
        let (keeper, sandbox) = new_sandbox()?;
        let mut world = Self {
            buffers: map_buffers()?,
            sandbox,
            user_end: root.base + root.len,
            handles: Vec::with_capacity(2 * MOST_HANDLES),
            regions: Vec::with_capacity(2 * MOST_HANDLES),
            vmos: Vec::with_capacity(2 * MOST_HANDLES),
            tasks: Vec::with_capacity(2 * MOST_HANDLES),
            devices: Vec::with_capacity(2 * MOST_HANDLES),
            keeper,
            addresses: only_harmless_addresses()?,
        };
        let spare = (0..4 * MOST_HANDLES).map(|_| world.keeper.duplicate_handle(Rights::NONE));
        drop(spare.collect::<Result<Vec<_>, _>>()?);
        world.add_objects()?;
        Ok(world)
    }

    /// Throws all away that hostile calls made or broke, and begins again.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn reset(&mut self) -> Result<(), Status> {
        self.close_all();
        (self.keeper, self.sandbox) = new_sandbox()?;
        self.add_objects()
    }

    /// Whether it is time for a [`reset`](Self::reset).
    pub fn is_full(&self) -> bool {
        self.handles.len() >= MOST_HANDLES
    }

    /// How many regions and mappings are in the sandbox; `None` if that is dead.
    pub fn records(&self) -> Option<usize> {
        let mut available = 0;
        // SAFETY: nothing is written but the count, which is a live local.
        let status = unsafe {
            sys::zx_object_get_info(
                self.keeper.raw_handle(),
                sys::ZX_INFO_VMAR_MAPS,
                core::ptr::null_mut(),
                0,
                core::ptr::null_mut(),
                &mut available,
            )
        };
        (status == sys::ZX_OK).then_some(available)
    }

    /// Whether closing `handle` would take something from the program that it needs itself.
    pub fn is_needed(&self, handle: sys::zx_handle_t) -> bool {
        let needed = [
            rt::vmar_root_self().raw_handle(),
            rt::process_self().raw_handle(),
            rt::thread_self().raw_handle(),
            rt::system_resource().raw_handle(),
            rt::job_default().raw_handle(),
            rt::iommu_resource().raw_handle(),
            self.keeper.raw_handle(),
            self.addresses.raw_handle(),
        ];
        handle != sys::ZX_HANDLE_INVALID && needed.contains(&handle)
    }

    /// Adds a handle that a call has made for a region.
    pub fn add_region(&mut self, handle: sys::zx_handle_t) {
        self.regions.push(handle);
        self.handles.push(handle);
    }

    /// Adds a handle that a call has made for a process, or that is one for a job.
    pub fn add_task(&mut self, handle: sys::zx_handle_t) {
        self.tasks.push(handle);
        self.handles.push(handle);
    }

    /// Adds a handle that a call has made for a VMO.
    pub fn add_vmo(&mut self, handle: sys::zx_handle_t) {
        self.vmos.push(handle);
        self.handles.push(handle);
    }

    fn add_objects(&mut self) -> Result<(), Status> {
        let fixed = Vmo::create(3 * PAGE as u64)?;
        fixed.set_name(&Name::new_lossy("hostile"))?;
        self.add_regions(&fixed)?;
        let vmo_for_children = fixed.duplicate_handle(Rights::SAME_RIGHTS)?;
        let read_only = fixed.duplicate_handle(Rights::READ | Rights::MAP | Rights::DUPLICATE)?;
        let powerless = fixed.duplicate_handle(Rights::NONE)?;
        let vmos = [
            fixed,
            read_only,
            powerless,
            Vmo::create_with_opts(VmoOptions::RESIZABLE, 5 * PAGE as u64)?,
            Vmo::create_with_opts(VmoOptions::DISCARDABLE, 2 * PAGE as u64)?,
            Vmo::create_with_opts(VmoOptions::UNBOUNDED, 0)?,
            Vmo::create(1 << 40)?,
        ];
        vmos.into_iter()
            .for_each(|vmo| self.add_vmo(vmo.into_raw()));
        // What is the program's own must neither be ended nor written to.
        let own = Rights::PROCESS_DEFAULT - Rights::DESTROY - Rights::WRITE;
        let process = rt::process_self().duplicate_handle(own)?;
        let job = rt::job_default().duplicate_handle(Rights::JOB_DEFAULT - Rights::DESTROY)?;
        self.add_task(job.into_raw());
        let resource = rt::system_resource().duplicate_handle(Rights::SAME_RIGHTS)?;
        self.handles
            .extend([process.into_raw(), resource.into_raw()]);
        self.add_devices()?;
        self.add_processes(&vmo_for_children)
    }

    /// Adds what VMOs for devices are made with, and one of them.
    fn add_devices(&mut self) -> Result<(), Status> {
        let iommus = rt::iommu_resource();
        let iommu = Iommu::create_dummy(&iommus, IommuDescDummy::default())?;
        let bti = Bti::create(&iommu, 1)?;
        let physical = Vmo::create_physical(&self.addresses, DEVICE_ADDRESS, 2 * PAGE)?;
        self.add_vmo(physical.into_raw());
        let devices = [
            iommus.duplicate_handle(Rights::SAME_RIGHTS)?.into_raw(),
            self.addresses
                .duplicate_handle(Rights::SAME_RIGHTS)?
                .into_raw(),
            iommu.into_raw(),
            bti.duplicate_handle(Rights::NONE)?.into_raw(),
            bti.into_raw(),
        ];
        self.devices.extend(devices);
        self.handles.extend(devices);
        Ok(())
    }

    /// Adds processes without threads: one with mappings at the addresses of the sandbox, one whose handle
    /// is good for nothing, and one that has been killed.
    fn add_processes(&mut self, vmo: &Vmo) -> Result<(), Status> {
        let create = || {
            rt::job_default().create_child_process(zx::ProcessOptions::empty(), b"hostile child")
        };
        let (process, root) = create()?;
        let flags = VmarFlags::PERM_READ | VmarFlags::PERM_WRITE | VmarFlags::SPECIFIC;
        let place = self.sandbox - root.info()?.base;
        for page in [0, 3, 10] {
            root.map(place + page * PAGE, vmo, 0, 3 * PAGE, flags)?;
        }
        let powerless = process.duplicate_handle(Rights::NONE)?;
        let (dead, dead_root) = create()?;
        zx::Task::kill(&dead)?;
        for task in [process, powerless, dead] {
            self.add_task(task.into_raw());
        }
        self.handles.extend([root.into_raw(), dead_root.into_raw()]);
        Ok(())
    }

    /// Fills the sandbox: mappings that touch and some that do not, and a region with one in it.
    fn add_regions(&mut self, vmo: &Vmo) -> Result<(), Status> {
        let flags = VmarFlags::PERM_READ | VmarFlags::PERM_WRITE | VmarFlags::SPECIFIC;
        for page in [0, 3, 6, 10] {
            self.keeper.map(page * PAGE, vmo, 0, 3 * PAGE, flags)?;
        }
        let (part, _) = self.keeper.allocate(
            SANDBOX_BYTES / 2,
            64 * PAGE,
            ANY_MAPPING | VmarFlags::SPECIFIC,
        )?;
        part.map(0, vmo, 0, 3 * PAGE, flags)?;
        let whole = self.keeper.duplicate_handle(Rights::SAME_RIGHTS)?;
        self.add_region(whole.into_raw());
        self.add_region(part.into_raw());
        Ok(())
    }

    fn close_all(&mut self) {
        self.regions.clear();
        self.vmos.clear();
        self.tasks.clear();
        self.devices.clear();
        for handle in self.handles.drain(..) {
            // SAFETY: these handles belong to the storm; some are closed already, which is refused.
            let _ = unsafe { sys::zx_handle_close(handle) };
        }
        // SAFETY: nothing of the program's own lies in the sandbox. It may be dead already.
        let _ = unsafe { self.keeper.destroy() };
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.close_all();
    }
}

fn new_sandbox() -> Result<(Vmar, usize), Status> {
    rt::vmar_root_self().allocate(0, SANDBOX_BYTES, ANY_MAPPING)
}

/// Gives up what could be used to harm the machine, but for a few addresses where nothing is.
fn only_harmless_addresses() -> Result<Resource, Status> {
    let all = rt::mmio_resource();
    let part = all.create_child(
        ResourceKind::MMIO,
        None,
        DEVICE_ADDRESS as u64,
        DEVICE_BYTES,
        b"harmless",
    );
    // SAFETY: no other part of the program uses the handle.
    zx::ok(unsafe { sys::zx_handle_close(all.raw_handle()) })?;
    part
}

/// Maps the buffers, once for the life of the program.
fn map_buffers() -> Result<Buffers, Status> {
    let (region, base) = rt::vmar_root_self().allocate(0, 32 * PAGE, ANY_MAPPING)?;
    let read = VmarFlags::PERM_READ;
    let vmo = Vmo::create(SCRATCH_BYTES as u64)?;
    let map = |page: usize, vmo_offset: usize, bytes: usize, flags: VmarFlags| {
        let flags = flags | VmarFlags::SPECIFIC;
        region.map(page * PAGE, &vmo, vmo_offset as u64, bytes, flags)
    };
    Ok(Buffers {
        scratch: map(4, 0, SCRATCH_BYTES, read | VmarFlags::PERM_WRITE)?,
        read_only: map(12, 0, PAGE, read)?,
        no_access: map(16, 0, PAGE, VmarFlags::empty())?,
        beyond_end: map(20, SCRATCH_BYTES, PAGE, read | VmarFlags::PERM_WRITE)?,
        hole: base + 28 * PAGE,
    })
}
