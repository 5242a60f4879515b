"""What every request passes, whichever tab it is from."""
