"""A compound's rules as people set them: the file, its versions, mutes, the operating mode, their health."""
