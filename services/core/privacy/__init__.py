"""What a family can ask for about its own data: erase it, export it, contest a right."""
