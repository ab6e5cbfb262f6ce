#!/bin/bash
# Starts or stops a real SLURM of two nodes on this machine, in a folder of its own, for the tests.
#
#   tests/cluster/slurm.sh start FOLDER    then: export SLURM_CONF=FOLDER/slurm.conf
#   tests/cluster/slurm.sh stop FOLDER
#
# Needs root and Debian's packages slurm-wlm and munge; exits with 77 and a reason where they are
# absent. Nothing of the system's own SLURM or munge is read, written or stopped: key, sockets,
# ports, configuration, logs and state are those of FOLDER.
set -euo pipefail

skip() {
    echo "$1"
    exit 77
}

[ $# -eq 2 ] || { echo "usage: slurm.sh start|stop FOLDER" >&2; exit 2; }
action=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)
host=$(hostname -s)
nodes=(icelens1 icelens2)
export SLURM_CONF=$folder/slurm.conf

write_configuration() {
    local port=$((20000 + $$ % 2500 * 4))  # two test runs at a time do not meet
    cat > "$folder/slurm.conf" <<END
ClusterName=icelens
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$folder/completed.txt
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
GresTypes=gpu
ReturnToService=2
# the tests wait for nothing that a cluster would wait for
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0
KillWait=4
OverTimeLimit=0
MinJobAge=120
InactiveLimit=0
StateSaveLocation=$folder/state
SlurmctldPidFile=$folder/slurmctld.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdSpoolDir=$folder/spool.%n
SlurmdPidFile=$folder/slurmd.%n.pid
SlurmdLogFile=$folder/slurmd.%n.log
NodeName=${nodes[0]} NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=4 RealMemory=2000 Gres=gpu:2
NodeName=${nodes[1]} NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=4 RealMemory=2000 Gres=gpu:2
PartitionName=main Nodes=icelens1,icelens2 Default=YES MaxTime=60 State=UP
END
    # a bare Count=2 leaves the node invalid; these stand for the two cards
    printf 'NodeName=icelens[1-2] Name=gpu File=%s\n' /dev/null /dev/zero > "$folder/gres.conf"
    mkdir -p "$folder/state" "$folder/spool.icelens1" "$folder/spool.icelens2"
}

start_munge() {
    chmod 0755 "$folder"
    (umask 077 && head -c 128 /dev/urandom > "$folder/munge.key")
    munged --socket="$folder/munge.socket" --key-file="$folder/munge.key" \
        --log-file="$folder/munge.log" --pid-file="$folder/munge.pid" \
        --seed-file="$folder/munge.seed" --num-threads=1 --force
}

wait_for_nodes() {
    for _ in $(seq 100); do
        if [ "$(sinfo --noheader --Node --format=%T 2>/dev/null | grep -c idle)" = 2 ]; then
            return
        fi
        scontrol update nodename=icelens1,icelens2 state=resume 2>/dev/null || true
        sleep 0.2
    done
    echo "SLURM did not start; see $folder/*.log" >&2
    tail -n 5 "$folder"/*.log >&2
    exit 1
}

start() {
    [ "$(id -u)" = 0 ] || skip "SLURM needs root"
    for program in munged slurmctld slurmd sbatch; do
        command -v $program > /dev/null || skip "$program is absent: apt-get install slurm-wlm munge"
    done
    write_configuration
    start_munge
    slurmctld
    for node in "${nodes[@]}"; do
        slurmd -N "$node"
    done
    wait_for_nodes
    echo "SLURM $(sbatch --version) runs: export SLURM_CONF=$SLURM_CONF"
}

# by the numbers they left in this folder: a SLURM or munge of the system is never touched
end_process() {
    local pid
    [ -f "$1" ] || return 0
    pid=$(cat "$1")
    kill "$pid" 2>/dev/null || return 0
    for _ in $(seq 50); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
}

stop() {
    scancel --quiet --user="$(id -un)" 2>/dev/null || true
    for _ in $(seq 50); do
        [ -z "$(squeue --noheader 2>/dev/null)" ] && break
        sleep 0.2
    done
    for daemon in slurmd.icelens1 slurmd.icelens2 slurmctld munge; do
        end_process "$folder/$daemon.pid"
    done
}

case $action in
    start) start ;;
    stop) stop ;;
    *) echo "usage: slurm.sh start|stop FOLDER" >&2; exit 2 ;;
esac
