"""Where the outer world is met: web, database, queue, wire, command line."""
