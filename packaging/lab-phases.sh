# What makes the lab ready, side by side; sourced after progress.sh.
# shellcheck shell=bash

# Seconds on two processors that have nothing else to do, with nothing there.
lab_phases() {
    phase image-packages 10 '' mmdebstrap
    phase lab-image 70 image-packages "$(words 'node image' 节点镜像)"
    phase lab-programs 220 image-packages "$(words programs 程序)"
    phase lab-packages 20 image-packages "$(words 'host packages' 主机软件包)"
}
