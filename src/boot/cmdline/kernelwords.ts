/**
 * The parameters that the kernel takes for itself, as far as they have no dot in their name.
 *
 * The names of __setup(), early_param() and core_param() in Linux 6.1 for x86, and of the aliases in
 * fs/proc/proc_sysctl.c. A kernel takes those that it was built with, and newer kernels know some more: what it
 * does not take it hands on to the init.
 */

import { type Word, sameName } from "./cmdline.ts";

/** The kernel that the list is of. */
export const listedKernel = "Linux 6.1";

/** True when the kernel takes this word, and nobody else sees it. */
export function isKernelParameter({ name, value }: Word): boolean {
  // What boot loaders write of themselves. Linux 6.1.192 keeps it; older kernels hand it on.
  if (name.startsWith("kexec") || (name === "BOOT_IMAGE" && value !== undefined)) return true;
  return names.some((known) =>
    known.endsWith("=") ? value !== undefined && sameName(known.slice(0, -1), name) : sameName(known, name),
  );
}

/** A name with = behind it must have a value. */
const names = `
BusLogic= TOMOYO_loader= TOMOYO_trigger= acpi acpi_apic_instance acpi_backlight= acpi_enforce_resources=
acpi_force_32bit_fadt_addr acpi_force_table_verification acpi_irq_balance acpi_irq_isa= acpi_irq_nobalance
acpi_irq_pci= acpi_mask_gpe= acpi_no_auto_serialize acpi_no_memhotplug acpi_no_static_ssdt
acpi_no_watchdog acpi_os_name= acpi_osi= acpi_pm_good acpi_rev_override acpi_rsdp acpi_sci
acpi_skip_timer_override acpi_sleep= acpi_use_timer_override acpica_no_return_repair add_efi_memmap agp=
aha152x= aic79xx= aic7xxx= align_va_addr= alloc_mptable alloc_snapshot amd_iommu= amd_iommu_dump
amd_iommu_intr= amd_pstate aoe_iflist= apic apic_extnmi apicpmtimer apm= apparmor= arcrimi= atascsi=
audit= audit_backlog_limit= baycom_epp= baycom_par= baycom_ser_fdx= baycom_ser_hdx= bert_disable
bgrt_disable blkdevparts= boot_delay bootconfig ca_keys= cachesize= carrier_timeout= ccw_timeout_log
cgroup_debug cgroup_disable= cgroup_no_v1= checkreqprot= cifsroot= clearcpuid= clk_ignore_unused clock=
clocksource= cma cma_pernuma coherent_pool com20020= com90io= com90xx= console= console_msg_format=
consoleblank coredump_filter= cpu0_hotplug cpu_init_udelay crash_kexec_post_notifiers crashkernel
cs89x0_dma= cs89x0_media= csdlock_debug= debug debug-alternative debug_boot_weak_hash
debug_guardpage_minorder debug_locks_verbose= debug_objects debug_pagealloc debugfs debugpat
default_hugepagesz= deferred_probe_timeout= delayacct dhash_entries= dhcpclass= disable_cpu_apicid
disable_mtrr_cleanup disable_mtrr_trim disable_timer_pin_1 disableapic dma_debug= dma_debug_driver=
dma_debug_entries= driver_async_probe= dump_apple_properties dyndbg= early_ioremap_debug early_page_ext
earlycon earlyprintk efi efi_fake_mem efi_no_storage_paranoia efivar_ssdt= eisa_irq_edge= ekgdboc
elanfreq= elevator= elfcorehdr enable_mtrr_cleanup enforcing= erst_disable ether= evm= fail_futex=
fail_io_timeout= fail_make_request= fail_page_alloc= fail_usercopy= failslab= fas216_logging= fb_tunnels=
fbcon= fips= floppy= forcepae ftrace= ftrace_boot_snapshot ftrace_dump_on_oops ftrace_filter=
ftrace_graph_filter= ftrace_graph_max_depth= ftrace_graph_notrace= ftrace_notrace= fw_devlink
gart_fix_e820 gather_data_sampling gcov_persist= gpt hardened_usercopy= hardlockup_all_cpu_backtrace
hashdist= hcheck_dump_tasks hcheck_margin hcheck_reboot hcheck_tick hest_disable hibernate= highmem
highres= hlt hostname hpet= hpet_mmap= hugepages= hugepagesz= hugetlb_cma hugetlb_free_vmemmap
hung_task_panic hv_nopvspin hvc_iucv= hvc_iucv_allow ibt= idle ignore_loglevel ignore_rlimit_data
ihash_entries= ima_appraise ima_appraise_tcb ima_canonical_fmt ima_hash= ima_policy= ima_tcb ima_template=
ima_template_fmt= indirect_target_selection init= init_on_alloc init_on_free init_pkru=
initcall_blacklist= initcall_debug initramfs_async= initramfs_options= initrd initrdmem int_pln_enable
integrity_audit= intel_iommu= intel_pstate intremap io_delay iomem= iommu ip= ipcmni_extend ips=
irqaffinity= irqfixup irqpoll irqtime isapnp= isolcpus= ivrs_acpihid ivrs_hpet ivrs_ioapic kasan
kasan_multi_shot keep_bootcon keepinitrd kernelcore kgdbcon kgdbdbgp kgdboc= kgdboc_earlycon kgdbts=
kgdbwait kmemleak kprobe_event= kunit_shutdown l1d_flush l1tf lapic lapic_timer_c2_ok load_ramdisk=
lockdown log_buf_len loglevel lp= lpj= lsm= lsmsi mac5380= max_loop= maxcpus mce md= mdacon= mds mem
mem_sleep_default= memblock memhp_default_state= memmap memory_corruption_check
memory_corruption_check_period memory_corruption_check_size memtest mhash_entries= mitigations
mminit_loglevel mmio_stale_data module_blacklist movable_node movablecore mphash_entries= mtdparts=
mtrr_chunk_size mtrr_cleanup_debug mtrr_gran_size mtrr_spare_reg_nr ncr53c8xx= netconsole= netdev=
nfsaddrs= nfsroot= nfsrootdebug nmi_watchdog= no-kvmapf no-kvmclock no-kvmclock-vsyscall no-scroll
no-steal-acc no-vmw-sched-clock no_console_suspend no_debug_objects no_file_caps no_hash_pointers
no_ipi_broadcast= no_timer_check noaliencache noapic noapictimer noautogroup noefi noexec32= nofsgsbase
nogreybus nohibernate nohlt nohpet nohugeiomap nohugevmalloc nohz= nohz_full= noinitrd nointremap
noinvpcid noirqdebug noisapnp nokgdbroundup nolapic nolapic_timer nomce nomodeset nomodule nonmi_ipi nopat
nopcid nopku nopv nopvspin norandmaps noreplace-smp noresume nosgx nosmp nosmt nosoftlockup nospectre_v1
notsc novmcoredd nowatchdog nox2apic nr_cpus ntp_tick_adj= numa numa_balancing= numa_zonelist_order
ohci1394_dma olpc_ec_timeout= oops page_owner page_poison page_table_check panic panic_on_taint
panic_on_warn panic_print parport= parport_init_mode= pause_on_oops pci pci_slot_ignore= pcie_aspm=
pcie_pme= pcie_port_pm= pcie_ports= pcmv= pd_ignore_unused percpu_alloc pirq= plip= pm_debug_messages
pmtmr= pnp_reserve_dma= pnp_reserve_io= pnp_reserve_irq= pnp_reserve_mem= pnpacpi= pnpbios= possible_cpus
preempt= print-fatal-signals= profile= prompt_ramdisk= psi= qla1280= quiet raid= ramdisk_size=
ramdisk_start= randomize_kstack_offset ras rcu_nocb_poll rcu_nocbs rdinit= rdrand rdt reboot=
reg_file_data_sampling relax_domain_level= resched_latency_warn_ms= reserve= reservetop reset_devices
resume= resume_offset= resumedelay= resumewait retain_initrd retbleed ro rodata root= rootdelay=
rootflags= rootfstype= rootwait rw sched_thermal_decay_shift= sched_verbose schedstats= sclp_con_drop=
sclp_con_pages= security= selinux= serialnumber sev= show_lapic= sim710= skew_tick slab_max_order=
slab_merge slab_nomerge slram= slub_debug slub_max_order= slub_merge slub_min_objects= slub_min_order=
slub_nomerge softlockup_all_cpu_backtrace softlockup_panic= spec_rstack_overflow spectre_bhi srbds st=
stack_depot_disable stack_guard_gap= stacktrace sti= sti_font= stifb= stmmaceth= strict_sas_size
swapaccount= swiotlb sxgbeeth= sysrq_always_enabled tcpmhash_entries= test_suspend thash_entries=
threadirqs tp_printk tp_printk_stop_on_boot trace_buf_size= trace_clock= trace_event= trace_options=
traceoff_on_warning tracing_thresh= transparent_hugepage= tsa tsc= tsc_early_khz tsx_async_abort
uhash_entries= unknown_nmi_panic update_mptable userpte uv_memblksize uvrtcevt vdso32= vdso= video=
vm_debug vmalloc vmcp_cma vmscape vsyscall watchdog_thresh= wd33c93= x2apic_phys xen_emul_unplug
xen_legacy_crash xen_msr_safe xen_no_vector_callback xen_nopv xen_nopvspin xen_scrub_pages xen_timer_slop
xirc2ps_cs=
`
  .trim()
  .split(/\s+/);
