"""What programme staff do for families and watches; knows neither messages nor places."""
